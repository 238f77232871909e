FROM alpine
ADD --keep-git-dir=true https://example.com/a/b.git#main:sub /src
