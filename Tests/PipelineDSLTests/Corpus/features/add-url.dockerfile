FROM alpine
ADD https://example.com/a/b.tar.gz /c/
