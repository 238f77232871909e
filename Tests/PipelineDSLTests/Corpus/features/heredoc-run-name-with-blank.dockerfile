FROM alpine
RUN <<"END OF IT"
echo $HOME
END OF IT
