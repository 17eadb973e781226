"""For all tests: a property holds or not, however long an example takes on a busy machine; and where tests write."""

from hypothesis import settings

from tests.support.memory_disk import write_in_memory

write_in_memory()
settings.register_profile("house", deadline=None)
settings.load_profile("house")
