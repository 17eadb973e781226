"""/console/platform/people: who runs the platform: the pages of members, of those who belong to no account."""

from tollhouse.console.pages import members
from tollhouse.console.pages.members import OF_THE_PLATFORM
from tollhouse.console.route import page

listing = page(f"GET {OF_THE_PLATFORM}", may="people.list")(members.members)
inviting = page(f"POST {OF_THE_PLATFORM}", may="people.invite")(members.invite)
withdrawing = page(f"POST {OF_THE_PLATFORM}/invitations/{{id}}/withdraw", may="people.uninvite")(members.withdraw)
one = page(f"GET {OF_THE_PLATFORM}/{{id}}", may="people.show")(members.member)
role = page(f"POST {OF_THE_PLATFORM}/{{id}}/role", may="people.set")(members.change_role)
disabling = page(f"POST {OF_THE_PLATFORM}/{{id}}/disable", may="people.disable")(members.disable)
enabling = page(f"POST {OF_THE_PLATFORM}/{{id}}/enable", may="people.enable")(members.enable)
signing_out = page(f"POST {OF_THE_PLATFORM}/{{id}}/sign-out", may="people.sign_out")(members.sign_out)
forgetting = page(f"POST {OF_THE_PLATFORM}/{{id}}/forget-factor", may="people.forget_factor")(members.forget_factor)
removing = page(f"POST {OF_THE_PLATFORM}/{{id}}/remove", may="people.remove")(members.remove)
