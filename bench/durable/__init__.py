"""Those who deliver documents durably or not, one a file, and what they are measured with."""
