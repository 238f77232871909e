# escape=`
FROM alpine
ENV A="C:\dir\file" B=a` b C=`$x
