FROM alpine
ARG A='single $quoted'
ARG B="double $A"
