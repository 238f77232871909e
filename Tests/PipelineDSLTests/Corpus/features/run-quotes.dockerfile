FROM alpine
RUN echo 'single  blanks' "double  blanks" plain\ blank
