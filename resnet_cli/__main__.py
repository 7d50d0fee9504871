"""Where the program begins, as resnet-cli or python -m resnet_cli: signals before all that takes time."""

import os


def main() -> None:
    """Runs the command line and exits. From here on Ctrl-C is one line, also while modules load."""
    try:
        from resnet_cli import signals

        signals.handle()
    except KeyboardInterrupt:
        os.write(2, b"error: interrupted\n")
        os._exit(130)
    from resnet_cli import cli

    cli.main()


if __name__ == "__main__":
    main()
