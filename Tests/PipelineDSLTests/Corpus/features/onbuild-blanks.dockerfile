FROM alpine
onbuild   run   echo  x   
