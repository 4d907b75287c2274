"""The local update server, over real sockets, with a clock of the test."""
