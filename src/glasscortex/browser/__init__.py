"""The browser of units: tables in, data of a page that opens without a server out."""
