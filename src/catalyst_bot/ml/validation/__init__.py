"""Evidence that says no: measures, the ledger of trials, tests for luck, and the gates."""
