FROM alpine
ENV A=a"b c"d'e f'g
