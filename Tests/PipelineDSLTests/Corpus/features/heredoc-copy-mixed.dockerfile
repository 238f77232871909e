FROM alpine
COPY file <<inline.txt other /d/
text
inline.txt
