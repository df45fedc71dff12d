"""What comes after the training, and around it: the last lines, the files and pictures, signals, how a script leaves."""
