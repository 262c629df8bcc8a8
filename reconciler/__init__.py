"""The driver, when and whether something runs, and what each effect does."""
