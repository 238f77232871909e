FROM alpine
ADD --chown=1:2 --chmod=700 --link --exclude=x --keep-git-dir a /b
