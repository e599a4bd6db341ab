"""The back-test of the churn score: scores of six months ago, compared with the accounts that have left since."""
