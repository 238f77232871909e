FROM alpine
ADD --unpack=false a.tar /b
ADD --unpack https://example.com/a.tar /c
