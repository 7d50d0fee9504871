"""All that is known of networks as one page."""
