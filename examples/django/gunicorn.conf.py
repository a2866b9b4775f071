"""Gunicorn's settings; what differs from one instance to the next is given on its command line."""

wsgi_app = "project.wsgi"
worker_class = "gthread"
workers = 1
threads = 4
timeout = 60
# Portico gives an idle connection up after 1.5 seconds, before Gunicorn would: see upstreams.app.keepAlive.
keepalive = 2
accesslog = "-"
access_log_format = '%(h)s %(t)s "%(r)s" %(s)s %(b)s %(M)sms %({x-request-id}i)s'
# /dev/shm is memory: the heartbeat file of a worker never waits for a disk.
worker_tmp_dir = "/dev/shm"
