#!/usr/bin/python3
"""Connects to MariaDB at PORT from ADDRESS and prints the client's address that the server reports."""

import sys

import pymysql

port, address = sys.argv[1:]
connection = pymysql.connect(
    host="127.0.0.1", port=int(port), bind_address=address, user="app", password="app-secret", ssl_disabled=True
)
with connection, connection.cursor() as cursor:
    cursor.execute("select host from information_schema.processlist where id = connection_id()")
    print(cursor.fetchone()[0])
