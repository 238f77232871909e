FROM alpine
ENV GRÜSSE="schöne Grüße" 变量=值
