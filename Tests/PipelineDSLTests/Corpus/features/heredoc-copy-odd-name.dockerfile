FROM alpine
COPY <<END-of_file.1 /a
text
END-of_file.1
