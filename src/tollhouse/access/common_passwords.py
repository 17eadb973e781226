"""Words that lists of leaked passwords are made of: with digits and signs around, they are what is tried first."""

from typing import Final

_TEXT: Final = """
abc abcd abcde abcdef abcdefg abcdefgh access admin adminadmin administrator amanda andrea andrew angel anthony
anthropic apikey apple april arsenal asd asdf asdfg asdfgh asdfghjkl asdzxc ashley august autumn azerty azertyuiop
banana baseball basketball batman blessed business buster butterfly change changeit changeme charlie chatgpt cheese
chelsea chocolate christ cisco claude cloud company computer contrasena cookie corporate corvette daniel database
december deepseek default demo diamond dragon eagle edcrfv enter example facebook falcon february ferrari flower
football freedom friday gateway gemini george ginger golden google guest hannah harley heaven hello hockey hunter
iloveu iloveyou initial internet january jasmine jennifer jessica jesus jordan joshua july june killer letmein
letmeinnow linux liverpool lkjhgfdsa login love lovely lover loveyou maggie manager march master matrix matthew
mercedes michael michelle microsoft mima mnbvcxz monday monkey motdepasse mustang mypassword network newpassword
nicole ninja nothing november october office open openai operator oracle orange owner parola pass passcode
passphrase passwd password passwort pepper phoenix platform please poiuytrewq pokemon porsche princess private
purple qazwsx qazwsxedc qwe qweasd qweasdzxc qwer qwerty qwertyui qwertyuiop qwertz qwertzuiop rainbow ranger robert
root samantha sample samsung saturday secret secrets secure security senha september server service shadow signin
silver soccer spiderman spring starwars summer sunday sunshine superman superuser support sysadmin system temp
temporary test tester testing thomas thursday tiger tigger token tollhouse trustme trustno tuesday ubuntu user
username wachtwoord wednesday welcome whatever william windows winter woaini wsxedc yamaha zxc zxcv zxcvbn zxcvbnm
"""
COMMON: Final = tuple(_TEXT.split())
