"""The Streamlit app: `main` frames the pages, a folder of `views` is a page."""
