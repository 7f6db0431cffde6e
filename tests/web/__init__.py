"""The page in a browser: journeys of people, and what happens when the line or the platform fails them."""
