FROM alpine
ADD a.tar.gz /b
