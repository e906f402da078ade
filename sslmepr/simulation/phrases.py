"""Vocabularies of the simulated transcripts, used by `words`.

Every latent has clauses for both of its directions and two strengths. They are written
for this project. Trait clauses follow the adjective markers of the Big Five (Goldberg
1992, Psychological Assessment 4, 26-42) and are about habits; emotion clauses
are about the moment.
"""

PHRASES: dict[str, dict[int, tuple[str, ...]]] = {
    "anger": {
        2: (
            "I am absolutely furious",
            "they make my blood boil",
            "I could scream with rage",
            "I hate them for this",
        ),
        1: (
            "that really annoys me",
            "I am getting irritated",
            "I was rather cross",
            "it is so unfair",
        ),
        -1: (
            "I was not bothered",
            "I took it calmly",
            "I did not mind",
            "we stayed civil",
        ),
        -2: (
            "I forgave them completely",
            "there was no quarrel",
            "no grudges at all",
            "I let it go peacefully",
        ),
    },
    "disgust": {
        2: (
            "it was utterly revolting",
            "the stench made me gag",
            "I nearly vomited",
            "rotten slime everywhere",
        ),
        1: (
            "it smelled a bit off",
            "that is rather gross",
            "it tasted nasty",
            "the sink was filthy",
        ),
        -1: (
            "it smelled fresh",
            "the kitchen was clean",
            "it tasted fine",
            "the water was clear",
        ),
        -2: (
            "it was deliciously fresh",
            "what a spotless room",
            "the food was exquisite",
            "it smelled of roses",
        ),
    },
    "fear": {
        2: (
            "I was terrified",
            "my hands shook with fear",
            "I thought we would die",
            "I ran in panic",
        ),
        1: (
            "it made me nervous",
            "I felt a bit scared",
            "that noise worried me",
            "I was uneasy",
        ),
        -1: (
            "I felt quite safe",
            "there was no danger",
            "nothing threatened us",
            "I felt secure",
        ),
        -2: (
            "I faced it fearlessly",
            "nothing could scare me",
            "I felt totally safe",
            "I was brave as a lion",
        ),
    },
    "happiness": {
        2: (
            "I am overjoyed",
            "this is the happiest day",
            "I laughed with delight",
            "I love this so much",
        ),
        1: (
            "I am glad",
            "that made me smile",
            "it was rather fun",
            "we had a nice time",
        ),
        -1: (
            "it was not much fun",
            "there was little to enjoy",
            "it was a dull day",
            "I did not smile",
        ),
        -2: (
            "nothing gives me pleasure",
            "all the joy has gone",
            "it was no fun whatsoever",
            "I could not enjoy anything",
        ),
    },
    "sadness": {
        2: (
            "I cried all night",
            "my heart is broken",
            "I feel hopeless and lost",
            "I miss her terribly",
        ),
        1: (
            "I feel a little down",
            "it makes me sad",
            "I was disappointed",
            "I sighed and wept",
        ),
        -1: (
            "I was not sad about it",
            "no tears this time",
            "my mood was fine",
            "I got over the loss",
        ),
        -2: (
            "not a single tear",
            "my spirits are high",
            "there is nothing to mourn",
            "all my sorrow is gone",
        ),
    },
    "surprise": {
        2: (
            "I could not believe it",
            "wow what a shock",
            "suddenly it just exploded",
            "I was utterly astonished",
        ),
        1: (
            "I did not expect that",
            "that was unexpected",
            "what a surprise",
            "oh really I asked",
        ),
        -1: (
            "I saw it coming",
            "it was as expected",
            "that is the usual thing",
            "it was predictable",
        ),
        -2: (
            "it is always exactly so",
            "everything followed the routine",
            "I had known for years",
            "the same as every day",
        ),
    },
    "openness": {
        2: (
            "I write surreal poetry",
            "I adore abstract art",
            "I wonder about the universe",
            "I study ancient philosophy",
        ),
        1: (
            "I like museums",
            "I try new recipes",
            "I enjoy foreign films",
            "I read novels",
        ),
        -1: (
            "I prefer plain things",
            "I stick to what I know",
            "art is not for me",
            "I eat the usual food",
        ),
        -2: (
            "philosophy is a waste of time",
            "I never try foreign things",
            "I cannot stand modern art",
            "traditions must never change",
        ),
    },
    "conscientiousness": {
        2: (
            "I plan every minute",
            "my files are perfectly sorted",
            "I always meet my deadlines",
            "I check my work three times",
        ),
        1: (
            "I made a list",
            "I keep my desk tidy",
            "I came on time",
            "I finished my homework",
        ),
        -1: (
            "I forgot my keys",
            "I put it off again",
            "I came a bit late",
            "I left the dishes",
        ),
        -2: (
            "my room is a total mess",
            "I never finish anything",
            "I missed every deadline",
            "I lost all the papers",
        ),
    },
    "extraversion": {
        2: (
            "I threw a huge party",
            "I talk to every stranger",
            "I danced with the crowd",
            "everyone came to my place",
        ),
        1: (
            "I met some friends",
            "I like company",
            "we chatted a lot",
            "I went out with people",
        ),
        -1: (
            "I stayed at home",
            "I said very little",
            "I kept to myself",
            "I like quiet evenings",
        ),
        -2: (
            "I avoid all parties",
            "I sat alone in silence",
            "I am too shy to talk",
            "I spoke to nobody for weeks",
        ),
    },
    "agreeableness": {
        2: (
            "I gave everything to charity",
            "I care deeply for others",
            "I comforted every child",
            "I trust people completely",
        ),
        1: (
            "I helped my neighbour",
            "I thanked them kindly",
            "I shared my lunch",
            "I was polite to them",
        ),
        -1: (
            "I argued with them",
            "I doubt what people say",
            "that is their problem",
            "I did not help",
        ),
        -2: (
            "I exploit fools like that",
            "other people are idiots",
            "I lied to get my way",
            "I do not care who suffers",
        ),
    },
    "emotional_stability": {
        2: (
            "I stay relaxed under pressure",
            "stress never touches me",
            "I sleep soundly every night",
            "I am always at ease",
        ),
        1: (
            "I rarely worry",
            "I kept my cool",
            "I am fairly relaxed",
            "I can handle stress",
        ),
        -1: (
            "I worry about my health",
            "I slept badly again",
            "my nerves are thin",
            "I feel stressed",
        ),
        -2: (
            "my anxiety never stops",
            "I am a nervous wreck",
            "my moods swing constantly",
            "I cannot cope with stress",
        ),
    },
}

MEANT = {
    clause: (latent, level)
    for latent, levels in PHRASES.items()
    for level, clauses in levels.items()
    for clause in clauses
}
"""Clause to its latent and its direction and strength, -2 to 2."""
"""Latent to direction and strength (-2, -1, 1, 2) to clauses of two to six words."""

TOPICS: dict[str, tuple[str, ...]] = {
    "monologue": (
        "the report came on Monday",
        "the company has two offices",
        "the film runs two hours",
        "the meeting began at nine",
        "the product costs ten dollars",
        "the study covers four regions",
        "the council voted in March",
        "the article has three parts",
    ),
    "vlog": (
        "my camera stands over here",
        "this video has two parts",
        "the link is below",
        "my channel is two years old",
        "I filmed this on Tuesday",
        "today there is a haul",
        "the comments are open",
        "my phone is on the table",
    ),
}
"""Domain to neutral clauses: what else MOSEI's and FIv2's people talk about."""

OPENERS: dict[str, tuple[str, ...]] = {
    "monologue": ("Well", "In short", "As reported", "Overall", "In my review"),
    "vlog": ("Hey guys", "So", "Okay", "Hi everyone", "In this video"),
}

LINKS = ("and", "then", "", "", "")
"""What may stand before a clause that is not the first."""
