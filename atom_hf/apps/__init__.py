"""Pages for the browser. Logic lives in modules without gradio; only a page's `app.py` knows it."""
