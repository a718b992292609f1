/* What Connector/C says in a session of each kind. Prints an expectation a line, and waits for a line, so that
   record-mysql can note it between the bytes. Usage: connector PORT SCENARIO */
#include <mysql/mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static MYSQL *my;

static void mark(const char *expected) {
    char line[8];
    puts(expected);
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin)) exit(1);
}

static void query(const char *sql, const char *expected) {
    int failed = mysql_query(my, sql);
    while (!failed) {
        MYSQL_RES *result = mysql_store_result(my);
        if (result) mysql_free_result(result);
        failed = mysql_next_result(my);
    }
    mark(expected);
}

static MYSQL_STMT *prepare(const char *sql, const char *expected) {
    MYSQL_STMT *statement = mysql_stmt_init(my);
    if (mysql_stmt_prepare(statement, sql, strlen(sql))) fprintf(stderr, "%s\n", mysql_stmt_error(statement));
    mark(expected);
    return statement;
}

static void execute(MYSQL_STMT *statement, const char *expected) {
    if (mysql_stmt_execute(statement)) fprintf(stderr, "%s\n", mysql_stmt_error(statement));
    do mysql_stmt_store_result(statement); while (mysql_stmt_next_result(statement) == 0);
    mark(expected);
}

static void statements(void) {
    int number = 2;
    unsigned long length = 3;
    MYSQL_BIND bind[2] = {{.buffer_type = MYSQL_TYPE_LONG, .buffer = &number},
                          {.buffer_type = MYSQL_TYPE_STRING, .buffer = "two", .buffer_length = 3, .length = &length}};
    MYSQL_STMT *select = prepare("select * from numbers where n <> ?", "boundary");
    mysql_stmt_bind_param(select, bind);
    execute(select, "boundary");
    execute(select, "boundary");
    mysql_stmt_reset(select);
    mark("boundary");
    MYSQL_STMT *insert = prepare("insert into numbers values (100 + ?, ?)", "boundary");
    mysql_stmt_bind_param(insert, bind);
    query("begin", "transaction");
    execute(insert, "transaction");
    query("rollback", "boundary");
    bind[1].buffer_type = MYSQL_TYPE_BLOB;
    mysql_stmt_bind_param(insert, bind);
    mysql_stmt_send_long_data(insert, 1, "long", 4);
    mysql_stmt_send_long_data(insert, 1, " data", 5);
    mark("long-data");
    execute(insert, "boundary");
    mysql_stmt_close(insert);
    mark("boundary");
    query("delete from numbers where n > 100", "boundary");
    int numbers[2] = {60, 61};
    unsigned array = 2;
    MYSQL_BIND column = {.buffer_type = MYSQL_TYPE_LONG, .buffer = numbers};
    MYSQL_STMT *bulk = prepare("insert into numbers values (?, null)", "boundary");
    mysql_stmt_attr_set(bulk, STMT_ATTR_ARRAY_SIZE, &array);
    mysql_stmt_bind_param(bulk, &column);
    execute(bulk, "boundary");
    execute(bulk, "after-error");
    mysql_stmt_close(bulk);
    query("do 1", "boundary");
    MYSQL_STMT *call = prepare("call several(?)", "boundary");
    mysql_stmt_bind_param(call, bind);
    execute(call, "boundary");
    mysql_stmt_close(call);
    prepare("select syntax error from", "boundary");
    mysql_stmt_close(prepare("do 1", "boundary"));
    mysql_stmt_close(select);
    mark("boundary");
}

static void cursors(void) {
    unsigned long type = CURSOR_TYPE_READ_ONLY, rows = 2;
    MYSQL_STMT *first = prepare("select n from numbers", "boundary"), *second = prepare("select 1", "boundary");
    for (int round = 0; round < 2; round++) {
        mysql_stmt_attr_set(first, STMT_ATTR_CURSOR_TYPE, &type);
        mysql_stmt_attr_set(first, STMT_ATTR_PREFETCH_ROWS, &rows);
        mysql_stmt_execute(first);
        mark("cursor");
        mysql_stmt_fetch(first);
        mark("cursor");
        query("select 'while a cursor is open'", "cursor");
        mysql_stmt_attr_set(second, STMT_ATTR_CURSOR_TYPE, &type);
        mysql_stmt_execute(second);
        mark("cursor");
        mysql_stmt_reset(second);
        mark("cursor");
        if (round == 0) {
            while (mysql_stmt_fetch(first) == 0) {}
            mark("boundary");
        } else {
            mysql_stmt_close(first);
            mark("boundary");
        }
    }
    mysql_stmt_execute(second);
    mark("cursor");
    mysql_reset_connection(my);
    mark("boundary");
}

static void commands(void) {
    mysql_ping(my);
    mark("boundary");
    mysql_select_db(my, "app");
    mark("boundary");
    mysql_select_db(my, "nowhere");
    mark("boundary");
    mysql_stat(my);
    mark("boundary");
    MYSQL_RES *fields = mysql_list_fields(my, "numbers", NULL);
    if (fields) mysql_free_result(fields);
    mark("boundary");
    fields = mysql_list_fields(my, "nothing", NULL);
    mark("boundary");
    fields = mysql_list_processes(my);
    if (fields) mysql_free_result(fields);
    mark("boundary");
    mysql_set_server_option(my, MYSQL_OPTION_MULTI_STATEMENTS_ON);
    mark("boundary");
    query("select 1; begin; select 2", "transaction");
    query("select 1; select nonsense; select 2", "transaction");
    query("rollback; select 1; do 1", "boundary");
    query("begin", "transaction");
    mysql_change_user(my, "app", "app-secret", "app");
    mark("boundary");
    query("begin; insert into numbers values (50, 'fifty')", "transaction");
    mysql_reset_connection(my);
    mark("boundary");
    mysql_refresh(my, REFRESH_STATUS);
    mark("boundary");
    mysql_dump_debug_info(my);
    mark("boundary");
    mysql_kill(my, 4000000000UL);
    mark("after-error");
}

int main(int count, char **arguments) {
    if (count != 3) return 2;
    unsigned flags = CLIENT_MULTI_STATEMENTS;
    my = mysql_init(NULL);
    if (!mysql_real_connect(my, "127.0.0.1", "app", "app-secret", "app", atoi(arguments[1]), NULL, flags)) {
        fprintf(stderr, "%s\n", mysql_error(my));
        return 1;
    }
    mark("boundary");
    if (!strcmp(arguments[2], "statements")) statements();
    if (!strcmp(arguments[2], "cursors")) cursors();
    if (!strcmp(arguments[2], "commands")) commands();
    mysql_close(my);
    mark("quit");
    return 0;
}
