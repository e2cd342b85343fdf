"""Populations: fields that are told which population a point comes from, judged on populations never trained on."""
