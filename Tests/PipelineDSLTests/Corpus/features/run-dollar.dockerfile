FROM alpine
RUN echo $HOME ${HOME} $(pwd) $((1 + 2)) $$ '$x'
