"""Drafts by a chat model, grounded in the same passages and held to the same checks.

rounds     a model's answer and one repair, or the offline draft: the loop of every kind
outline    what the offline draft says where, for join copy and posters
prompting  an outline → the turns that a model is asked with
form       an outline → the form that it fills in
grounding  an element → the clauses that the brief bears out
manners    a draft → what no writer of ours would leave in
evidence   a draft → the advice that it really follows
drafts     all of these: join copy and posters in a model's words
series     topic series, with `series_*`; review, with `review_*`
aloud      JSON as it comes → the words in it, for listeners
words      texts and word lists that all of them share
"""
