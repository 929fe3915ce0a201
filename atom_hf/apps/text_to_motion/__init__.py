"""Text to motion in the browser: a sentence becomes motions, base beside aligned, judged, voted on and taken away.

request     what a visitor asks for, within caps         settings    of a page, from the environment
systems     which models, and how they are loaded        studio      models, loaded once, that make takes of a request
comparison  two models side by side, blind               asked       the prompt's events as bars
words       verdicts in HTML                             downloads   takes as files
voting      votes, kept in an arena's store              examples    sentences to begin with

`app`, `api` and `viewer_html` are the page; they alone know gradio.
"""
