// <mysql/mysql.h> of either MariaDB Connector/C or Oracle's libmysqlclient.
#pragma once
#include <mysql/mysql.h>
