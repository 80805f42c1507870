"""Where the command ``eventlab`` begins, before its libraries are loaded."""

import signal


def main() -> None:
    """Run the command. Ctrl-C ends it without a traceback also while Python is still importing."""
    ours = signal.getsignal(signal.SIGINT)
    if ours is signal.default_int_handler:  # else somebody had Ctrl-C ignored, and it stays so
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from eventlab.cli import main as command

    signal.signal(signal.SIGINT, ours)
    command()


if __name__ == "__main__":
    main()
