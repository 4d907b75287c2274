"""Reading with limits, and writing so that a final name always stands for a complete file."""
