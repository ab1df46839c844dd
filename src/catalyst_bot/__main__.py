"""`python -m catalyst_bot` is `catalyst-bot`."""

from catalyst_bot.cli import main

if __name__ == "__main__":
    main()
