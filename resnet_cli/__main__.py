"""python -m resnet_cli."""

from resnet_cli.cli import main

if __name__ == "__main__":
    main()
