"""Where artifacts come from: signed statements and bills of materials. No clocks in here."""
