"""The preference arena in the browser: a prompt, two motions, a blind vote, by keyboard or by hand.

service    what the page of labellers asks for, as plain data      words     progress, agreement and results in HTML
ballots    a ballot as the browser gets it                         desk      what whoever runs the arena does
campaign   pairs to label, and a campaign to try                   limits    size of requests, and who may upload
settings   how a page is run                                       app       the page; the only module with gradio
"""
