FROM alpine
ENV A "one" 'two'
