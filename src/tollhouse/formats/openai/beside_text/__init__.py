"""Operations of the OpenAI format that are no conversation: scores, pictures, sound.

Lives here: reading and writing their requests, judging and relaying their answers, and their units.
Does not live here: what conversations share (`formats/openai`), core words.
Who calls: `formats/openai/codecs.py`, which has them as codecs.
"""
