"""Getting what the native way needs: downloads, pinned and cached, and packages of the machine.

Uses the standard library only, so that it can run before the project's own packages are installed.
"""
