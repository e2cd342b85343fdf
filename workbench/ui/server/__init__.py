"""The served pages as a whole: start the server, its set-up, its sessions and its memory."""
