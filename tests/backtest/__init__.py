"""Whether the churn score would have told: accounts as they were scored six months ago against what became of them since."""
