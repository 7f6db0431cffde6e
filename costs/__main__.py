"""Start the command: python -m costs --stage prod"""

from costs.command import main

if __name__ == "__main__":
    main()
