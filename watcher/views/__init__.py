"""What commands and the page show: which cases and accounts, in which order, in which words."""
