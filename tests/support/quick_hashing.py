"""Hashes of passwords that cost nothing: as they are used here, each takes 25 ms of a core."""

from argon2 import PasswordHasher

from tollhouse.services.hashing import PasswordHashing


def quick_hashing() -> PasswordHashing:
    nobody = "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    return PasswordHashing(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1), nobody)
