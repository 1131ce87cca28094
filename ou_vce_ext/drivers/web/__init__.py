"""Any web app that a module declares by its command."""
