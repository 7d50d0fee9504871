"""Workers side by side: one thread of torch's each, or they wait for one another."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
