"""The known weaknesses of the older tools, each reproduced against ours."""
