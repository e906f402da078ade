"""Published corpora, and one's own tables and folders, into one clip table."""
