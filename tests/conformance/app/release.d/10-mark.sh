# Mark that release commands ran
echo "$LANGUAGE" >> "$MARKS"
