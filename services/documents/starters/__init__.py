"""Starter templates: texts of our own, made into .docx files that staff then edit in Word."""
