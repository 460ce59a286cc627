"""The Telegram bot: one file a kind of update, all of them ending in `bot.conversation.answer` and `sender.Sender`.

app.py        starts and stops it: polling or webhook, commands, jobs
inbox.py      no update is lost or answered twice; order within a chat
war.py        what every handler works with; rooms.py: the shops, off the event loop
access.py     who may what            questions.py  a message is a question
commands.py   /today, /brief, …       buttons.py    what stands under an answer
files.py      uploads                 briefings.py  the daily push
sender.py     one way out: retries, fallbacks, nothing twice where it can be known
"""
